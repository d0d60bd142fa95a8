// Package direct computes the three functions of conv's trilinear form as their definitions stand, with the
// same bits: as matrix products whose left operand is the weights and whose right operand is read from images
// in a stage buffer, never copied into an im2col matrix.
//
//	doc.go                    the products, drawn; the words used for them
//	plan.go                   plan: where the elements of each product lie, made once for a geometry
//	forward.go, transpose.go  the plans of Forward and of Transpose
//	stage_buffer.go           stageBuffer: images with their border of zeros, phases of the stride apart
//	border.go                 axis: which links with the border's zeros are skipped
//	contraction.go            contraction: Forward and Transpose by plan
//	weight_gradient.go        WeightGradient; weight_gradient_share.go: one goroutine's share of it
//
// It is for package conv, which checks the sizes and chooses the algorithm. It does not know tensors, nor
// what the results are for.
//
// The products. Forward is one product for each image, or for a group of images side by side:
//
//	    K = C*KH*KW               N = Ho*Wo pixels                  N
//	  +-------------+          +------------------+        +------------------+
//	M |      w      |  times K | element (c,u,v)  |  =   M |        y         |
//	  |   (m; cuv)  |          | of pixel (i,j):  |        |    (m; i,j)      |
//	  +-------------+          | x[c,i*s+u*d-p,   |        +------------------+
//	                           |     j*s+v*d-p]   |
//	                           +------------------+
//
// The right operand is Im2col(x), but it is never written to memory: in the stage buffer, which contains the
// border's zeros, its element (k, q) lies at pixel[q] + tap[k], so two tables stand for the whole matrix.
// Transpose is, for each of the s*s phases of x's pixels, the same picture with K = M * (taps that reach the
// phase) and the roles of C and M exchanged. WeightGradient has K = images * Ho * Wo and is computed
// transposed:
//
//	            K = N*Ho*Wo                     M                             M
//	         +----------------+             +-------+                    +----------+
//	C*KH*KW  | x at pixel k   |  times   K  |   y   |   =      C*KH*KW   | gradient |
//	         | and tap (c,u,v)|             +-------+                    +----------+
//	         +----------------+
//
// Words. Row index m and column index n are free; the sum over k of one element is its chain acc = fma(a, b,
// acc), and a step of the chain is called a link. A tap is one element (u, v) of a kernel. The source of a
// product is the images that it reads, the target the images that it writes.
package direct

import "sdref/conv/internal/form"

// problem is the sizes of one evaluation of the form.
type problem struct{ form.Form }
