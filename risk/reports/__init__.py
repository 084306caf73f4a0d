"""Reports: facts go into builders, builders make documents, renderers write documents in five formats.

``document`` is the model in which every number stands once; ``facts`` is what builders are given;
``build`` has one builder for each type, ``render`` one renderer for each format. Nothing here may know
where facts come from, who asked, or where a report is put.
"""
