"""What a stored sweep says: frames, ranking, report and charts. No TensorFlow, no Keras.

store → `frames.load` → `report` (table, JSON, CSV, Markdown), `charts`, `tensorboard`.
The modules import pandas and matplotlib; import them where they are needed.
"""
