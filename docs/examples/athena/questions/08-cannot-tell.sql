-- SPDX-License-Identifier: Apache-2.0
-- Hosts where something could not be looked at: no pass, and no failure that anybody would see.
SELECT account, region, instance_id, count(*) AS cannot_tell
FROM findings
WHERE dt = (SELECT max(dt) FROM posture) AND verdict = 'cannot-tell'
GROUP BY account, region, instance_id
ORDER BY cannot_tell DESC, instance_id
