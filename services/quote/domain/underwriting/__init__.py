"""Underwriting: what is assessed, the facts and commands of referrals, and the terms of counter-offers."""
