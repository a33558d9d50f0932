with source as (
    select * from {{ as_known('shopify', 'products', ['id'], modified_at='updated_at') }} as known
),

renamed as (
    select
        id as product_id,
        {{ parse_text('title') }} as product_title,
        {{ parse_text('product_type') }} as product_type,
        {{ parse_text('vendor') }} as vendor,
        upper(status) as status,
        published_at is not null as is_published,
        {{ parse_text('online_store_url') }} as product_url,
        {{ parse_text('featured_media__preview__image__url') }} as image_url,
        created_at,
        updated_at
    from source
    where created_at < {{ as_of() }}
)

select * from renamed
