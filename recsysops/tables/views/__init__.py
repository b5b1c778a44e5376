"""Views: tables derived from the user's, counted like them. Detectors name them in measures; people never configure them."""
