"""How the gradient of one batch is computed: by autograd, or by a backward that is written out."""
