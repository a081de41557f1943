"""Reads a message from each base URL with Anthropic's SDK for Python; a line of JSON each."""
import json
import sys

import anthropic

for base in sys.argv[1:]:
    try:
        client = anthropic.Anthropic(base_url=base, api_key="none", max_retries=0)
        events = client.messages.create(
            model="m", max_tokens=9, stream=True, messages=[{"role": "user", "content": "Hi"}]
        )
        got = []
        for event in events:
            got.append(event.type)
            if event.type == "content_block_delta":
                got.append(event.delta.text)
        print(json.dumps({"got": got}))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
