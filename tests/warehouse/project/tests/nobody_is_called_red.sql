select * from {{ ref('int_contact_addresses') }} where address = 'red@example.com'
