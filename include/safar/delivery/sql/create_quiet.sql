create temporary table if not exists recipient_zone (name text primary key) on commit drop;
create temporary table if not exists quiet (
    time_zone text, starts_at timestamptz, ends_at timestamptz
) on commit drop;
truncate recipient_zone, quiet
