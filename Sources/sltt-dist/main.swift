print("sltt-dist")
