"""Cases: all that a diagnosis looks at, what its steps say, and the verdict that weighs it."""
