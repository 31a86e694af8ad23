// SPDX-License-Identifier: Apache-2.0
// ask.mjs PACKAGES VIEWS QUESTION...: runs the views' file, then each question; prints {question: rows} as JSON.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";

const [packages, views, ...questions] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(join(packages, "package.json"))("@duckdb/node-api");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(readFileSync(views, "utf8"));
const answers = {};
for (const question of questions) {
  const result = await connection.runAndReadAll(readFileSync(question, "utf8"));
  answers[basename(question, ".sql")] = result.getRowsJson();
}
process.stdout.write(JSON.stringify(answers));
