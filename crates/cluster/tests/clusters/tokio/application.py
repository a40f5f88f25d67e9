"""Answers every request with its path."""


def application(environment, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"a-unique-token {environment['PATH_INFO']}\n".encode()]
