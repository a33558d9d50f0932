"""What people do in the company's shop and app, told to whoever collects it as Segment's libraries do."""

from sandbox.tracking.routes import create_router

__all__ = ["create_router"]
