"""Processing of image messages: subscriptions, cameras, the worker thread, and the report of each image."""
