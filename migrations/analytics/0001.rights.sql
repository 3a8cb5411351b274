-- Who may do what is said where a thing is made. The logins themselves are made on the host, by
-- templates/postgresql/etc/himari/postgresql/roles.sql.j2.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO writer, reader, upkeep;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- What has been applied.
GRANT SELECT ON _yoyo_migration TO reader;
