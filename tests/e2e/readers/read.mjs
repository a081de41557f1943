// Prints an event stream as it comes. `fetch` asks for gzip and decodes it by itself.
const response = await fetch(process.argv[2]);
console.log("decoded:", response.headers.get("content-encoding") === "gzip");
for await (const chunk of response.body) process.stdout.write(chunk);
