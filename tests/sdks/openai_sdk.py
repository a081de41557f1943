"""Reads a chat completion from each base URL with OpenAI's SDK for Python; a line of JSON each."""
import json
import sys

import openai

for base in sys.argv[1:]:
    try:
        client = openai.OpenAI(base_url=base + "/v1", api_key="none", max_retries=0)
        chunks = client.chat.completions.create(
            model="m", stream=True, messages=[{"role": "user", "content": "Hi"}]
        )
        # The last chunk of a completion has no content.
        print(json.dumps({"got": [chunk.choices[0].delta.content or "" for chunk in chunks]}))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
