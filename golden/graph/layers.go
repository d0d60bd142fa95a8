package graph

// Norm names the inputs or nodes that a BatchNorm reads.
type Norm struct{ Gamma, Beta, Mean, Variance string }

// NormOutput names what a BatchNorm gives: y and, in training, the running statistics as they are afterwards.
type NormOutput struct{ Y, Mean, Variance string }

// BatchNorm appends LAYER/y and, in training, LAYER/mean and LAYER/var (biased) of the batch and LAYER/new_running_mean and
// LAYER/new_running_var (unbiased): the old ones moved by momentum towards the batch's.
func (b *Builder) BatchNorm(layer, x string, p Norm, training bool, epsilon, momentum float64) NormOutput {
	at := func(quantity string) Place { return Place{Layer: layer, Quantity: quantity} }
	if !training {
		return NormOutput{Y: b.Node("batchnorm", at("y"), Attrs{"epsilon": epsilon}, x, p.Mean, p.Variance, p.Gamma, p.Beta)}
	}
	mean := b.Node("channel_mean", at("mean"), nil, x)
	variance := b.Node("channel_variance", at("var"), nil, x, mean)
	s := b.Shape(x)
	n := float64(s[0] * s[2] * s[3])
	return NormOutput{
		Y:        b.Node("batchnorm", at("y"), Attrs{"epsilon": epsilon, "training": 1}, x, mean, variance, p.Gamma, p.Beta),
		Mean:     b.Node("running", at("new_running_mean"), Attrs{"momentum": momentum, "factor": 1}, p.Mean, mean),
		Variance: b.Node("running", at("new_running_var"), Attrs{"momentum": momentum, "factor": n / (n - 1)}, p.Variance, variance),
	}
}

// SGD is stochastic gradient descent with Nesterov momentum and weight decay.
type SGD struct{ Rate, Momentum, Decay float64 }

// Descend appends LAYER/velocity_after/PARAMETER and LAYER/after/PARAMETER: one step for the parameter whose value is w, from its
// gradient and its velocity.
func (b *Builder) Descend(layer, parameter, w, gradient, velocity string, s SGD) (after, moved string) {
	at := func(what string) Place { return Place{Layer: join(layer, what), Quantity: parameter} }
	moved = b.Node("velocity", at("velocity_after"), Attrs{"momentum": s.Momentum, "decay": s.Decay}, velocity, gradient, w)
	return b.Node("nesterov", at("after"), Attrs{"rate": s.Rate, "momentum": s.Momentum, "decay": s.Decay}, w, gradient, moved), moved
}
