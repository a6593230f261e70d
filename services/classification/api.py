"""Routes of the classification service."""

from fastapi import APIRouter

from shared.web.app import create_app

routers: list[APIRouter] = []
app = create_app("classification", routers)
