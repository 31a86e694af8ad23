-- SPDX-License-Identifier: Apache-2.0
-- Recommendations that most hosts fail: worth a change of the image.
SELECT profile, number, title, count(*) AS hosts
FROM findings
WHERE dt = (SELECT max(dt) FROM posture) AND verdict = 'fail' AND NOT waived
GROUP BY profile, number, title
ORDER BY hosts DESC, profile, number
LIMIT 20
