"""From image messages to poses: subscriptions, cameras, a worker for the newest image, and its processing."""
