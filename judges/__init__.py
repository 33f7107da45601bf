"""Who scores open-ended work: rubrics, instruments, prompts, panels, and the judge that asks a model."""
