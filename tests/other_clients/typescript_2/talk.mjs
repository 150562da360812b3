// The official TypeScript SDK, version 2: the protocol of 2026-07-28, where the question comes as a result.
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const guarded = JSON.parse(process.env.GUARDED);
const textOf = (result) => result.content.map((block) => block.text).join("\n");

async function talk(hasPerson) {
  const capabilities = hasPerson ? { elicitation: { form: {} } } : {};
  const client = new Client({ name: "typescript-2", version: "1" }, { capabilities, versionNegotiation: { mode: "auto" } });
  if (hasPerson) {
    client.setRequestHandler("elicitation/create", async () => ({ action: "accept", content: { approve: true } }));
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
