-- SPDX-License-Identifier: Apache-2.0
-- docs/examples/athena/table.sql and views.sql for DuckDB: same names, same columns. @STORE@ is the folder.
CREATE TABLE hostward_reports AS
SELECT report, account::varchar AS account, region, dt::varchar AS dt, hour::varchar AS hour
FROM read_json('@STORE@/posture/v1/*/*/*/*/*.json.gz', format = 'newline_delimited', hive_partitioning = true,
               hive_types_autocast = false, columns = {report: 'JSON', proof: 'JSON'});

CREATE TABLE posture AS
SELECT * FROM (
  SELECT account, region, dt, report->>'$.identity.instance_id' AS instance_id,
    report->>'$.identity.image_id' AS image_id, report->>'$.host.hostname' AS hostname,
    report->>'$.host.os.pretty_name' AS os, report->>'$.agent.version' AS agent_version,
    cast(replace(report->>'$.created_at', 'Z', '') AS timestamp) AS created_at,
    coalesce((report->>'$.guard.known') = 'true', false) AS guard_known,
    coalesce((report->>'$.guard.loaded') = 'true', false) AS guard_loaded,
    coalesce(report->>'$.guard.mode', '') AS guard_mode,
    cast(report->>'$.guard.requests.v1' AS bigint) AS requests_v1, report->'$.checks' AS checks,
    row_number() OVER (PARTITION BY account, region, dt, report->>'$.identity.instance_id'
      ORDER BY report->>'$.created_at' DESC, cast(report->>'$.sequence' AS bigint) DESC) AS newest
  FROM hostward_reports)
WHERE newest = 1;

CREATE TABLE findings AS
SELECT account, region, dt, instance_id, image_id, item->>'$.profile.id' AS profile, f->>'$.number' AS number,
  f->>'$.title' AS title, coalesce(f->>'$.severity', '') AS severity, f->>'$.verdict' AS verdict,
  coalesce((f->>'$.waiver.state') = 'holds', false) AS waived
FROM (
  SELECT *, unnest(cast(item->'$.findings' AS json[])) AS f
  FROM (SELECT *, unnest(cast(checks AS json[])) AS item FROM posture));
