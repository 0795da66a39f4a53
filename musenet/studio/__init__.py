"""The studio: an HTTP API over composing, projects and rendering, and the page that uses it."""
