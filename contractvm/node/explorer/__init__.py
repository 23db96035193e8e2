"""The explorer: pages of the chain for people, made by the node itself and served at its root.

Pages are rendered here and whole without a script; one style sheet and one small script come from the node too, so
everything works offline. Source: OWASP's cheat sheets on Content Security Policy, CSRF and DNS rebinding; WHATWG HTML.
Never: changes the chain except by a form that a person sent from one of these pages, through a development account.
"""

from contractvm.node.explorer.app import Explorer

__all__ = ["Explorer"]
