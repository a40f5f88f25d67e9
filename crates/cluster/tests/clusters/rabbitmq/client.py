"""Publishes to a quorum queue at one node, and consumes at another."""
import sys

import pika

publisher, consumer = (pika.BlockingConnection(pika.ConnectionParameters(host)) for host in sys.argv[1:3])
channel = publisher.channel()
channel.queue_declare("queue", durable=True, arguments={"x-queue-type": "quorum"})
channel.confirm_delivery()
channel.basic_publish("", "queue", b"value-of-a-unique-token")
other = consumer.channel()
for method, _, body in other.consume("queue", inactivity_timeout=20):
    print(body.decode())
    other.basic_ack(method.delivery_tag)
    break
other.cancel()
consumer.close()
publisher.close()
