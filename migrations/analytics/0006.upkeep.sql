-- What TimescaleDB's policies would do, for the timer himari-postgresql-upkeep to call. It may call these functions, which
-- act as the owner, and nothing else.
CREATE TABLE upkeep_runs (
    task text PRIMARY KEY,
    finished timestamptz NOT NULL,
    took interval NOT NULL
);
GRANT SELECT ON upkeep_runs TO reader;

CREATE FUNCTION note_run(done text) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO public.upkeep_runs (task, finished, took)
    VALUES (done, clock_timestamp(), clock_timestamp() - statement_timestamp())
    ON CONFLICT (task) DO UPDATE SET finished = excluded.finished, took = excluded.took
$$;

-- The partition of `day`, from midnight to midnight UTC, with the rows that came before it was there; false if it was.
CREATE FUNCTION make_partition(parent text, day date) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
AS $$
DECLARE
    made text := parent || to_char(day, '_YYYYMMDD');
    spare text := parent || '_default';
    begins timestamptz := day;
    ends timestamptz := day + 1;
BEGIN
    IF to_regclass(format('public.%I', made)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Nobody writes meanwhile: a row that went to the default partition now would forbid the new one.
    EXECUTE format('LOCK TABLE ONLY public.%I, ONLY public.%I IN SHARE ROW EXCLUSIVE MODE', parent, spare);
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made, parent);
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.%I WHERE time >= $1 AND time < $2 RETURNING *)'
        ' INSERT INTO public.%I SELECT * FROM moved',
        spare, made
    ) USING begins, ends;
    EXECUTE format(
        'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, made, begins, ends
    );
    RETURN true;
END
$$;

-- Makes partitions for today, for `ahead` days and for what is in the default ones; drops what is older than `keep`.
-- What it did, a line each.
CREATE FUNCTION keep_partitions(keep interval, ahead integer DEFAULT 3) RETURNS SETOF text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC'
SET lock_timeout = '10s'
AS $$
DECLARE
    oldest timestamptz := date_trunc('day', now() - keep);
    parent text;
    day date;
    old text;
BEGIN
    IF keep < interval '1 day' THEN
        RAISE EXCEPTION 'keep_partitions(%): less than a day is no retention', keep;
    END IF;
    FOREACH parent IN ARRAY ARRAY['market_data', 'top_of_book', 'features'] LOOP
        FOR day IN EXECUTE format(
            'SELECT current_date + n FROM generate_series(0, $1) AS n UNION'
            ' SELECT time::date FROM public.%I WHERE time >= $2 AND time < now() + interval ''7 days'' ORDER BY 1',
            parent || '_default'
        ) USING ahead, oldest LOOP
            IF public.make_partition(parent, day) THEN
                RETURN NEXT format('%s: partition of %s made', parent, day);
            END IF;
        END LOOP;
        FOR old IN
            SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
             WHERE inhparent = format('public.%I', parent)::regclass
               AND relname ~ '_[0-9]{8}$' AND to_date(right(relname, 8), 'YYYYMMDD') < oldest
             ORDER BY 1
        LOOP
            EXECUTE format('DROP TABLE public.%I', old);
            RETURN NEXT format('%s: %s dropped', parent, old);
        END LOOP;
        EXECUTE format('DELETE FROM public.%I WHERE time < $1', parent || '_default') USING oldest;
    END LOOP;
    DELETE FROM public.data_gaps WHERE time < oldest;
    DELETE FROM public.dead_letters WHERE time < oldest;
    PERFORM public.note_run('keep_partitions');
END
$$;

-- Takes into `view` what was stored since it was refreshed; readers see the old state until then.
CREATE FUNCTION refresh_view(view text) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET work_mem = '64MB'
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_matviews WHERE schemaname = 'public' AND matviewname = view) THEN
        RAISE EXCEPTION 'refresh_view(%): no such view', view;
    END IF;
    EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY public.%I', view);
    PERFORM public.note_run(view);
END
$$;

GRANT EXECUTE ON FUNCTION keep_partitions(interval, integer), refresh_view(text) TO upkeep;
