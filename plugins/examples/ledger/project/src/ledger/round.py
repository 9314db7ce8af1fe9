# Golden tasks name this file.
