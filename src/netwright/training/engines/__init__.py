"""How the gradient of one batch is computed: by autograd, or by a handwritten backward."""
