"""Processing of image messages: subscriptions, cameras, the pipeline of two threads, and the report of each image."""
