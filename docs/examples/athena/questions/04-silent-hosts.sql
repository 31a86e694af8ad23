-- SPDX-License-Identifier: Apache-2.0
-- Hosts that reported before, and not in the last 24 hours. Whether they still run, EC2 knows.
SELECT account, region, instance_id, max(created_at) AS last_report
FROM posture
GROUP BY account, region, instance_id
HAVING max(created_at) < (SELECT max(created_at) FROM posture) - INTERVAL '24' HOUR
ORDER BY last_report, instance_id
