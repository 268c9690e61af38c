"""The function that runs until there is one of yours: says who it is."""

import json
import os


def handler(event, context):
    """Answers what API Gateway asks, whatever the path."""
    path = event.get("rawPath", "/")
    body = {"service": os.environ.get("LANDFORM_SERVICE", ""), "path": path}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
