-- SPDX-License-Identifier: Apache-2.0
-- What the questions ask: the newest report of each instance and day, and its findings. Athena's dialect is here only.
CREATE OR REPLACE VIEW posture AS
SELECT * FROM (
  SELECT account, region, dt,
    json_extract_scalar(report, '$.identity.instance_id') AS instance_id,
    json_extract_scalar(report, '$.identity.image_id') AS image_id,
    json_extract_scalar(report, '$.host.hostname') AS hostname,
    json_extract_scalar(report, '$.host.os.pretty_name') AS os,
    json_extract_scalar(report, '$.agent.version') AS agent_version,
    cast(from_iso8601_timestamp(json_extract_scalar(report, '$.created_at')) AS timestamp) AS created_at,
    coalesce(json_extract_scalar(report, '$.guard.known') = 'true', false) AS guard_known,
    coalesce(json_extract_scalar(report, '$.guard.loaded') = 'true', false) AS guard_loaded,
    coalesce(json_extract_scalar(report, '$.guard.mode'), '') AS guard_mode,
    cast(json_extract_scalar(report, '$.guard.requests.v1') AS bigint) AS requests_v1,
    json_extract(report, '$.checks') AS checks,
    row_number() OVER (
      PARTITION BY account, region, dt, json_extract_scalar(report, '$.identity.instance_id')
      ORDER BY json_extract_scalar(report, '$.created_at') DESC,
               cast(json_extract_scalar(report, '$.sequence') AS bigint) DESC) AS newest
  FROM hostward_reports)
WHERE newest = 1;

CREATE OR REPLACE VIEW findings AS
SELECT p.account, p.region, p.dt, p.instance_id, p.image_id,
  json_extract_scalar(c.item, '$.profile.id') AS profile,
  json_extract_scalar(f.item, '$.number') AS number,
  json_extract_scalar(f.item, '$.title') AS title,
  coalesce(json_extract_scalar(f.item, '$.severity'), '') AS severity,
  json_extract_scalar(f.item, '$.verdict') AS verdict,
  coalesce(json_extract_scalar(f.item, '$.waiver.state') = 'holds', false) AS waived
FROM posture p
CROSS JOIN UNNEST(cast(p.checks AS array(json))) AS c (item)
CROSS JOIN UNNEST(cast(json_extract(c.item, '$.findings') AS array(json))) AS f (item);
