package figures

// The captions of the figures, for readers who do not know the paper by heart. A comment names the values
// that are formatted into a caption, in order.
const (
	// patchesCaption: the number of atoms, the layer.
	patchesCaption = "The %d atoms of %s, the columns of A: a code says how much of each stands at each " +
		"place of the image. Each atom is scaled by itself, its smallest element black and its largest " +
		"white. Below each stands its number."

	// histogramCaption: the layer, the number of images, their set, the share of zeros in per cent.
	histogramCaption = "How the codes of %s are distributed over %d images of %s: the share of all codes " +
		"in each bin, on a logarithmic scale. Exact zeros, %.1f %%, have a bar of their own. The " +
		"highest and the lowest 0.05 %% of the others are left out."

	// zerosCaption: the number of images.
	zerosCaption = "Exact zeros among the codes of the network's CSC layers, by stage, block and convolution, in the order in which an " +
		"image meets them, over the same %d images."

	inverseCaption = "Upper row: test images. Below, for each block, what its output says of them: " +
		"BatchNorm undone and each code z replaced by A z, (B.2) and (B.3), down to the input; once as " +
		"published, without BatchNorm's epsilon, once exactly, in one row where no pixel differs by more " +
		"than 4/255. Numbers are PSNR against the input in " +
		"dB, pixels cut to [0, 1]."

	stretchedCaption = "The reconstructions as published, each channel of each image scaled to reach from " +
		"0 to 1, as the authors' visualisation does."

	// contrastCaption: the number of images.
	contrastCaption = "The exact reconstructions minus their mean over %d images, each row brightened by " +
		"a factor of its own: what a block still knows of this image. Beside the names stands how much " +
		"contrast is left, as a share of the input's: two iterations of FISTA give small codes, so it " +
		"shrinks from layer to layer. Numbers are correlations with the input's contrast."

	lossCaption = "Mean cross-entropy over an epoch's images while the weights moved."

	accuracyCaption = "Share of the training images recognised, likewise: of augmented images, by weights " +
		"that were still moving."

	// iterations.
	objectiveCaption = "How far the objective (B.1) of the stem's code lies above its limit, F* = %.6g " +
		"after %d iterations, on the first test image; step size t = %.4g. The network stops after %d " +
		"iterations (dots). paper: the gradient at the extrapolated point, (A.1); published: at the " +
		"last iterate, as the authors' code has it; they agree up to two."

	stepCaption = "|z_k - z_(k-1)|, how far an iteration moves the code, from z_0 = 0. All numbers are in " +
		"the CSV file beside the figure."

	// powerCaption: the number of rounds, the published number of rounds, the published tolerance.
	powerCaption = "How far the estimate |A v|^2 of (A.5) lies below its value after %d rounds, from a " +
		"random start. The published code stops after %d rounds (dots) or once the squared change of v " +
		"is at most %g; training continues from the last v, so its estimates are better than these."

	// size, its estimate.
	spectrumCaption = "The eigenvalues of A A* at %d x %d frequencies, %d each, as if the image had no " +
		"border, in descending order. Their largest, %.5g, bounds the largest eigenvalue from above; " +
		"the step size %.4g comes from the estimate %.5g (line)."

	// singularCaption: the number of atoms, the elements of a patch.
	singularCaption = "The %d atoms as the rows of a matrix with %d columns, the elements of a patch: how " +
		"many directions of the space of patches the dictionary really uses. Equal ones would be a " +
		"tight frame."
)
