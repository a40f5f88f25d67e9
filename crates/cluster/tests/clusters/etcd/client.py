"""Writes at one member and reads at another, by the JSON gateway."""
import base64
import json
import sys
import urllib.request


def ask(member, path, **body):
    body = {key: base64.b64encode(text.encode()).decode() for key, text in body.items()}
    request = urllib.request.Request(f"http://{member}:2379/v3/kv/{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


ask(sys.argv[1], "put", key="key", value="value-of-a-unique-token")
found = ask(sys.argv[2], "range", key="key")
print(base64.b64decode(found["kvs"][0]["value"]).decode())
