-- SPDX-License-Identifier: Apache-2.0
-- Hosts whose guard refuses nobody, and those of which it cannot be told.
SELECT account, region, instance_id,
  CASE WHEN NOT guard_known THEN 'cannot tell' WHEN NOT guard_loaded THEN 'not loaded' ELSE guard_mode END AS guard
FROM posture
WHERE dt = (SELECT max(dt) FROM posture) AND NOT (guard_known AND guard_loaded AND guard_mode = 'enforce')
ORDER BY guard, instance_id
