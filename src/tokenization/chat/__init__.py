"""Chat templates: a conversation as the text that a model was trained on, by a template that came with the model.

A template is a program from a file, so it runs in a sandbox and on a budget: `sandbox` makes every step of it pay for
the data that it touches before it touches it, `costs` says how much, `budget` counts. Jinja2 is imported when the first
template is rendered.
"""
