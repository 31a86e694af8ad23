// SPDX-License-Identifier: Apache-2.0
// Prints the credentials the JavaScript SDK's provider gets from the metadata service, as JSON.
// Usage: node credentials.mjs FOLDER (with the installed node_modules)
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { fromInstanceMetadata } = require("@smithy/credential-provider-imds");

const credentials = await fromInstanceMetadata({ timeout: 5000, maxRetries: 0 })();
console.log(
  JSON.stringify({ access_key: credentials.accessKeyId, expires: credentials.expiration.toISOString() }),
);
