"""Reads an event stream from each base URL with httpx-sse; a line of JSON each."""
import json
import sys

import httpx
from httpx_sse import connect_sse

for base in sys.argv[1:]:
    try:
        with httpx.Client(timeout=120) as client, connect_sse(client, "GET", base + "/events") as source:
            got = [[event.event, event.data] for event in source.iter_sse()]
        print(json.dumps({"got": [part for event in got for part in event]}))
    except Exception as error:
        print(json.dumps({"error": repr(error)}))
