// The official TypeScript SDK, version 1.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const guarded = JSON.parse(process.env.GUARDED);
const textOf = (result) => result.content.map((block) => block.text).join("\n");

async function talk(hasPerson) {
  const capabilities = hasPerson ? { elicitation: { form: {} } } : {};
  const client = new Client({ name: "typescript-1", version: "1" }, { capabilities });
  if (hasPerson) {
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: { approve: true } }));
  }
  const [command, ...args] = process.argv.slice(2);
  await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: "ignore" }));
  const { tools } = await client.listTools();
  const read = textOf(await client.callTool({ name: "list_all_numbers", arguments: {} }));
  const asked = textOf(await client.callTool({ name: "call_write_operation", arguments: guarded }));
  await client.close();
  return [tools.length, read, asked];
}

const [tools, read, pending] = await talk(false);
const [, , done] = await talk(true);
console.log(JSON.stringify({ tools, read, pending, done }));
