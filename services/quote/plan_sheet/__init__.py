"""Plan sheets: a product document as a page that a buyer can read and print, in Chinese or English."""

from services.quote.plan_sheet.page import plan_sheet
from services.quote.plan_sheet.words import Language

__all__ = ["Language", "plan_sheet"]
