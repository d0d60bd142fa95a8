/* The kernels of the OpenCL client: one work-item computes one element of the result, or one work-group one sum.

   x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms. y is the result, of count elements, and i
   the index of this work-item's. */
#define ELEMENT(i) int i = get_global_id(0); if (i >= count) return

typedef struct { int C, H, W, M, Ho, Wo, kh, kw, stride, padding, dilation, N; } Conv;

kernel void analysis(global float *y, int count, global const float *x, global const float *w, Conv p) {
	ELEMENT(i);
	int column = i % p.Wo, row = i / p.Wo % p.Ho, m = i / (p.Wo * p.Ho) % p.M, n = i / (p.Wo * p.Ho * p.M);
	float sum = 0;
	for (int c = 0; c < p.C; c++)
		for (int u = 0; u < p.kh; u++) {
			int h = row * p.stride + u * p.dilation - p.padding;
			if (h < 0 || h >= p.H) continue;
			for (int v = 0; v < p.kw; v++) {
				int l = column * p.stride + v * p.dilation - p.padding;
				if (l < 0 || l >= p.W) continue;
				sum += x[((n * p.C + c) * p.H + h) * p.W + l] * w[((m * p.C + c) * p.kh + u) * p.kw + v];
			}
		}
	y[i] = sum;
}

kernel void synthesis(global float *y, int count, global const float *z, global const float *w, Conv p) {
	ELEMENT(i);
	int l = i % p.W, h = i / p.W % p.H, c = i / (p.W * p.H) % p.C, n = i / (p.W * p.H * p.C);
	float sum = 0;
	for (int u = 0; u < p.kh; u++) {
		int down = h + p.padding - u * p.dilation, row = down / p.stride;
		if (down < 0 || down % p.stride || row >= p.Ho) continue;
		for (int v = 0; v < p.kw; v++) {
			int right = l + p.padding - v * p.dilation, column = right / p.stride;
			if (right < 0 || right % p.stride || column >= p.Wo) continue;
			for (int m = 0; m < p.M; m++)
				sum += z[((n * p.M + m) * p.Ho + row) * p.Wo + column] * w[((m * p.C + c) * p.kh + u) * p.kw + v];
		}
	}
	y[i] = sum;
}

kernel void filter_gradient(global float *y, int count, global const float *x, global const float *z, Conv p) {
	ELEMENT(i);
	int v = i % p.kw, u = i / p.kw % p.kh, c = i / (p.kw * p.kh) % p.C, m = i / (p.kw * p.kh * p.C);
	float sum = 0;
	for (int n = 0; n < p.N; n++)
		for (int row = 0; row < p.Ho; row++) {
			int h = row * p.stride + u * p.dilation - p.padding;
			if (h < 0 || h >= p.H) continue;
			for (int column = 0; column < p.Wo; column++) {
				int l = column * p.stride + v * p.dilation - p.padding;
				if (l < 0 || l >= p.W) continue;
				sum += x[((n * p.C + c) * p.H + h) * p.W + l] * z[((n * p.M + m) * p.Ho + row) * p.Wo + column];
			}
		}
	y[i] = sum;
}

kernel void prox(global float *y, int count, global const float *u, float scale, float threshold, int nonnegative) {
	ELEMENT(i);
	float v = scale * u[i], rest = fabs(v) - threshold;
	y[i] = rest <= 0 || (nonnegative && v < 0) ? 0 : copysign(rest, v); /* NaN stays NaN */
}

kernel void prox_gradient(global float *y, int count, global const float *z, global const float *dz, float scale) {
	ELEMENT(i);
	y[i] = z[i] == 0 ? 0 : scale * dz[i];
}

kernel void scale(global float *y, int count, global const float *x, float a) {
	ELEMENT(i);
	y[i] = a * x[i];
}

kernel void axpy(global float *y, int count, global const float *x, global const float *z, float a) {
	ELEMENT(i);
	y[i] = a * x[i] + z[i];
}

kernel void unit(global float *y, int count, global const float *x, global const float *squares, int row) {
	ELEMENT(i);
	y[i] = x[i] / fmax(sqrt(squares[i / row]), 1e-12f);
}

kernel void batch_norm(global float *y, int count, global const float *x, global const float *mean, global const float *var,
		global const float *weight, global const float *bias, int C, int area, float epsilon) {
	ELEMENT(i);
	int c = i / area % C;
	y[i] = (x[i] - mean[c]) / sqrt(var[c] + epsilon) * weight[c] + bias[c];
}

/* share is 1 over the number of a channel's elements, or 0 where mean and variance are constants. */
kernel void batch_norm_dx(global float *y, int count, global const float *x, global const float *dy, global const float *mean,
		global const float *var, global const float *weight, global const float *dweight, global const float *dbias,
		int C, int area, float epsilon, float share) {
	ELEMENT(i);
	int c = i / area % C;
	float inverse = 1 / sqrt(var[c] + epsilon);
	y[i] = weight[c] * inverse * (dy[i] - share * dbias[c] - (x[i] - mean[c]) * inverse * (share * dweight[c]));
}

typedef struct { int H, W, Ho, Wo, size, stride, padding; } Pool;

/* The place of the first largest element of an output's window. */
int first(global const float *x, int plane, int row, int column, Pool p) {
	int best = -1, top = row * p.stride - p.padding, left = column * p.stride - p.padding;
	for (int h = max(0, top); h < min(p.H, top + p.size); h++)
		for (int l = max(0, left); l < min(p.W, left + p.size); l++) {
			int at = (plane * p.H + h) * p.W + l;
			if (best < 0 || x[at] > x[best]) best = at;
		}
	return best;
}

kernel void max_pool(global float *y, int count, global const float *x, Pool p) {
	ELEMENT(i);
	y[i] = x[first(x, i / (p.Wo * p.Ho), i / p.Wo % p.Ho, i % p.Wo, p)];
}

kernel void max_pool_gradient(global float *y, int count, global const float *x, global const float *dy, Pool p) {
	ELEMENT(i);
	int l = i % p.W + p.padding, h = i / p.W % p.H + p.padding, plane = i / (p.W * p.H);
	float sum = 0;
	for (int row = max(0, (h - p.size + p.stride) / p.stride); row < min(p.Ho, h / p.stride + 1); row++)
		for (int column = max(0, (l - p.size + p.stride) / p.stride); column < min(p.Wo, l / p.stride + 1); column++)
			if (first(x, plane, row, column, p) == i) sum += dy[(plane * p.Ho + row) * p.Wo + column];
	y[i] = sum;
}

kernel void mean_pool(global float *y, int count, global const float *x, int area) {
	ELEMENT(i);
	float sum = 0;
	for (int k = 0; k < area; k++) sum += x[i * area + k];
	y[i] = sum / area;
}

kernel void mean_pool_gradient(global float *y, int count, global const float *dy, int area) {
	ELEMENT(i);
	y[i] = dy[i / area] / area;
}

/* The product of two matrices, given by their strides, plus a bias for each column if there is one. */
kernel void product(global float *y, int count, global const float *u, global const float *v, global const float *bias,
		int biased, int columns, int inner, int u_row, int u_inner, int v_inner, int v_column) {
	ELEMENT(i);
	int column = i % columns, row = i / columns;
	float sum = 0;
	for (int k = 0; k < inner; k++) sum += u[row * u_row + k * u_inner] * v[k * v_inner + column * v_column];
	y[i] = biased ? sum + bias[column] : sum;
}

/* The largest logit of an image, and the sum of exp(x - largest). */
float largest(global const float *x, int K) {
	float top = x[0];
	for (int k = 1; k < K; k++) top = fmax(top, x[k]);
	return top;
}

float total(global const float *x, int K, float top) {
	float sum = 0;
	for (int k = 0; k < K; k++) sum += exp(x[k] - top);
	return sum;
}

kernel void cross_entropy(global float *y, int count, global const float *x, global const long *labels, int K) {
	ELEMENT(i);
	float top = largest(x + i * K, K);
	y[i] = log(total(x + i * K, K, top)) - (x[i * K + labels[i]] - top);
}

kernel void cross_entropy_gradient(global float *y, int count, global const float *x, global const long *labels, int K, int N) {
	ELEMENT(i);
	int n = i / K;
	float top = largest(x + n * K, K);
	y[i] = (exp(x[i] - top) / total(x + n * K, K, top) - (i % K == labels[n])) / N;
}

/* Sums over the elements of each channel c of (count channels, area): TERM of element e, each work-item of LANES adding every
   LANES-th, then halves to halves; RESULT is what is done to the sum. */
#define SUM(NAME, ARGUMENTS, TERM, RESULT) \
kernel void NAME(global float *y, int count, ARGUMENTS, int terms, int area, float epsilon) { \
	local float part[LANES]; \
	int c = get_group_id(0), lane = get_local_id(0); \
	float sum = 0; \
	for (int k = lane; k < terms; k += LANES) { \
		int e = (k / area * count + c) * area + k % area; \
		sum += TERM; \
	} \
	part[lane] = sum; \
	for (int half_ = LANES / 2; half_ > 0; half_ /= 2) { \
		barrier(CLK_LOCAL_MEM_FENCE); \
		if (lane < half_) part[lane] += part[lane + half_]; \
	} \
	if (lane == 0) { \
		sum = part[0]; \
		y[c] = RESULT; \
	} \
}
#define AND ,
#define ARRAY(NAME) global const float *NAME

SUM(squares, ARRAY(x), x[e] * x[e], sum)
SUM(total_of, ARRAY(x), x[e], sum)
SUM(mean_of, ARRAY(x), x[e], sum / terms)
SUM(variance, ARRAY(x) AND ARRAY(mean), (x[e] - mean[c]) * (x[e] - mean[c]), sum / terms)
SUM(batch_norm_dweight, ARRAY(x) AND ARRAY(dy) AND ARRAY(mean) AND ARRAY(var), dy[e] * (x[e] - mean[c]), sum / sqrt(var[c] + epsilon))
