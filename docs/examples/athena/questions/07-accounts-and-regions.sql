-- SPDX-License-Identifier: Apache-2.0
-- Accounts and regions by failures per host.
SELECT p.account, p.region, count(DISTINCT p.instance_id) AS hosts, count(f.number) AS failed,
  cast(count(f.number) AS double) / count(DISTINCT p.instance_id) AS failed_per_host
FROM posture p
LEFT JOIN findings f ON f.account = p.account AND f.region = p.region AND f.dt = p.dt
  AND f.instance_id = p.instance_id AND f.verdict = 'fail' AND NOT f.waived
WHERE p.dt = (SELECT max(dt) FROM posture)
GROUP BY p.account, p.region
ORDER BY failed_per_host DESC, p.account, p.region
