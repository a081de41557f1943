// Reads a chat completion from each base URL with OpenAI's SDK for Node; a line of JSON each.
import { createRequire } from "node:module";

const OpenAI = createRequire(process.env.SDKS + "/node/")("openai");

for (const base of process.argv.slice(2)) {
  try {
    const client = new OpenAI({ baseURL: base + "/v1", apiKey: "none", maxRetries: 0 });
    const messages = [{ role: "user", content: "Hi" }];
    const chunks = await client.chat.completions.create({ model: "m", stream: true, messages });
    const got = [];
    for await (const chunk of chunks) got.push(chunk.choices[0].delta.content ?? "");
    console.log(JSON.stringify({ got }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
