-- SPDX-License-Identifier: Apache-2.0
-- The twenty hosts with the most failures that nobody waived, on the newest day.
SELECT account, region, instance_id, count(*) AS failed
FROM findings
WHERE dt = (SELECT max(dt) FROM posture) AND verdict = 'fail' AND NOT waived
GROUP BY account, region, instance_id
ORDER BY failed DESC, instance_id
LIMIT 20
