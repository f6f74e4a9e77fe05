#!/usr/bin/env python3
"""Verify a webhook with PyPI standardwebhooks, as a receiver would.

Takes {"secret", "headers", "body"} as its argument; prints `good`, or why the library refuses.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def main() -> None:
    given = json.loads(sys.argv[1])
    try:
        Webhook(given["secret"]).verify(given["body"], given["headers"])
    except WebhookVerificationError as refused:
        print(refused)
    else:
        print("good")


if __name__ == "__main__":
    main()
