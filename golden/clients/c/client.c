/* Answers the cases of `ref judge` in plain C loops, float32, with traces and gradients.

     cc -O2 -o client client.c -lm
     ref judge -- ./client

   It covers the operators, prox, fista, power_iteration, batchnorm and csc_layer. The first half is glue and fits any C
   code; the second is the mathematics, in the terms of docs/golden.md. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor of up to four dimensions, row-major; those it does not have are 1. */
typedef struct { int n, c, h, w; float *v; } Tensor;

static size_t count(Tensor t) { return (size_t)t.n * t.c * t.h * t.w; }

static void fail(const char *what, const char *name) {
	fprintf(stderr, "client: %s %s\n", what, name);
	exit(1);
}

/* All memory of a case is given back at its end. */
static void *owned[1 << 16];
static int holds;

static Tensor make(int n, int c, int h, int w) {
	Tensor t = {n, c, h, w, 0};
	if (holds == 1 << 16 || !(t.v = owned[holds++] = calloc(count(t) + 1, sizeof *t.v))) fail("out of", "memory");
	return t;
}

/* The case in hand, as manifest.txt gives it. */
typedef struct { char name[128], file[512]; int required, dims, d[8]; double value; } Entry;
static Entry attrs[64], inputs[256], outputs[4096];
static int n_attrs, n_inputs, n_outputs;
static const char *folder;

static Entry *find(Entry *list, int n, const char *name) {
	for (int i = 0; i < n; i++)
		if (!strcmp(list[i].name, name)) return &list[i];
	return NULL;
}

static double attr(const char *name, double otherwise) {
	Entry *e = find(attrs, n_attrs, name);
	return e ? e->value : otherwise;
}

static FILE *open_file(const char *file, const char *mode) {
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, file);
	FILE *f = fopen(path, mode);
	if (!f) fail("cannot open", path);
	return f;
}

/* An input, as float32. Inputs are .npy files of float64 whose shape the manifest tells too. */
static Tensor input(const char *name) {
	Entry *e = find(inputs, n_inputs, name);
	if (!e) fail("no input", name);
	Tensor t = make(e->d[0], e->d[1], e->d[2], e->d[3]);
	FILE *f = open_file(e->file, "rb");
	unsigned char head[10];
	if (fread(head, 1, 10, f) != 10 || fseek(f, 10 + head[8] + 256 * head[9], SEEK_SET)) fail("no header in", e->file);
	for (size_t i = 0; i < count(t); i++) {
		double v;
		if (fread(&v, sizeof v, 1, f) != 1) fail("too few elements in", e->file);
		t.v[i] = (float)v;
	}
	fclose(f);
	return t;
}

static int has_input(const char *name) { return find(inputs, n_inputs, name) != NULL; }

/* Writes a value if the case asks for one of that name, formatted as by printf, and returns it. */
static Tensor answer(Tensor t, const char *format, ...) {
	char name[256], shape[128] = "", head[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(name, sizeof name, format, arguments);
	va_end(arguments);
	Entry *e = find(outputs, n_outputs, name);
	if (!e) return t;
	size_t want = 1;
	for (int i = 0; i < e->dims; i++) {
		want *= e->d[i];
		sprintf(shape + strlen(shape), "%d,", e->d[i]);
	}
	if (want != count(t)) fail("wrong size of", name);
	int n = sprintf(head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", shape);
	for (; (10 + n + 1) % 64; n++) head[n] = ' ';
	head[n++] = '\n';
	FILE *f = open_file(e->file, "wb");
	fwrite("\x93NUMPY\1\0", 1, 8, f);
	fputc(n & 255, f), fputc(n >> 8, f);
	fwrite(head, 1, n, f);
	fwrite(t.v, sizeof *t.v, count(t), f);
	if (fclose(f)) fail("cannot write", e->file);
	return t;
}

/* The mathematics. x (N, C, H, W) is a signal, z (N, M, Ho, Wo) a code, w (M, C, kh, kw) the atoms. */

typedef struct { int stride, padding, dilation; } Geometry;

static Geometry geometry(void) {
	Geometry g = {(int)attr("stride", 1), (int)attr("padding", 0), (int)attr("dilation", 1)};
	return g;
}

static int code_size(int size, int kernel, Geometry g) {
	return (size + 2 * g.padding - g.dilation * (kernel - 1) - 1) / g.stride + 1;
}

/* The place in x that element (i, j) of the code sees through tap (u, v) of the kernel, NULL outside. */
static float *seen(Tensor x, int n, int c, int i, int j, int u, int v, Geometry g) {
	int row = i * g.stride + u * g.dilation - g.padding, column = j * g.stride + v * g.dilation - g.padding;
	if (row < 0 || row >= x.h || column < 0 || column >= x.w) return NULL;
	return &x.v[(((size_t)n * x.c + c) * x.h + row) * x.w + column];
}

enum { ANALYSIS, SYNTHESIS, FILTER };

/* One of the three contractions of the trilinear form: its result is z, x or w, which must be 0 before. */
static void contract(int which, Tensor x, Tensor w, Tensor z, Geometry g) {
	float *at, *tap, *code = z.v;
	for (int n = 0; n < z.n; n++)
		for (int m = 0; m < z.c; m++)
			for (int i = 0; i < z.h; i++)
				for (int j = 0; j < z.w; j++, code++) {
					tap = &w.v[(size_t)m * w.c * w.h * w.w];
					for (int c = 0; c < w.c; c++)
						for (int u = 0; u < w.h; u++)
							for (int v = 0; v < w.w; v++, tap++) {
								if (!(at = seen(x, n, c, i, j, u, v, g))) continue;
								if (which == ANALYSIS) *code += *at * *tap;
								else if (which == SYNTHESIS) *at += *code * *tap;
								else *tap += *at * *code;
							}
				}
}

/* A*x, (A.2), in PyTorch's terms conv2d. */
static Tensor analysis(Tensor x, Tensor w, Geometry g) {
	Tensor z = make(x.n, w.n, code_size(x.h, w.h, g), code_size(x.w, w.w, g));
	contract(ANALYSIS, x, w, z, g);
	return z;
}

/* A z, in PyTorch's terms conv_transpose2d. */
static Tensor synthesis(Tensor z, Tensor w, int height, int width, Geometry g) {
	Tensor x = make(z.n, w.c, height, width);
	contract(SYNTHESIS, x, w, z, g);
	return x;
}

static Tensor filter(Tensor x, Tensor z, int kh, int kw, Geometry g) {
	Tensor w = make(z.c, x.c, kh, kw);
	contract(FILTER, x, w, z, g);
	return w;
}

/* a + factor b. */
static Tensor add(Tensor a, float factor, Tensor b) {
	Tensor y = make(a.n, a.c, a.h, a.w);
	for (size_t i = 0; i < count(a); i++) y.v[i] = a.v[i] + factor * b.v[i];
	return y;
}

static Tensor scaled(float factor, Tensor a) {
	Tensor y = make(a.n, a.c, a.h, a.w);
	for (size_t i = 0; i < count(a); i++) y.v[i] = factor * a.v[i];
	return y;
}

static Tensor scalar(float v) {
	Tensor t = make(1, 1, 1, 1);
	t.v[0] = v;
	return t;
}

static float sum_of_squares(Tensor a) {
	float sum = 0;
	for (size_t i = 0; i < count(a); i++) sum += a.v[i] * a.v[i];
	return sum;
}

static float prox_scale(float step) { return 1 / (1 + (float)attr("mu", 0) * step); }

/* argmin over z of |z-u|^2/2 + step (lambda |z|_1 + mu/2 |z|^2), z >= 0 if nonnegative: the shrinkage
   (A.3). NaN stays NaN. */
static Tensor prox(Tensor u, float step) {
	float scale = prox_scale(step), threshold = (float)attr("lambda", 0) * step * scale;
	int nonnegative = attr("nonnegative", 0) != 0;
	Tensor z = make(u.n, u.c, u.h, u.w);
	for (size_t i = 0; i < count(u); i++) {
		float v = u.v[i] * scale, rest = fabsf(v) - threshold;
		z.v[i] = rest <= 0 || (nonnegative && v < 0) ? 0 : copysignf(rest, v);
	}
	return z;
}

/* The derivative of prox towards its argument, 0 where z is. */
static Tensor prox_grad(Tensor z, Tensor dz, float step) {
	Tensor du = scaled(prox_scale(step), dz);
	for (size_t i = 0; i < count(z); i++)
		if (z.v[i] == 0) du.v[i] = 0;
	return du;
}

static int paper; /* whether the gradient is taken at the momentum point */

/* What FISTA leaves for its gradient, by iteration from 1. */
static struct { Tensor code, point, residual; float ratio; } rounds[64], *r;

static void fista(Tensor x, Tensor w, float step, Geometry g) {
	int iterations = (int)attr("iterations", 1);
	if (iterations > 63) fail("too many", "iterations");
	Tensor z = {0}, before = {0}, y, u, s;
	double m = 1, next;
	for (int k = 1; k <= iterations; k++) {
		r = &rounds[k];
		r->ratio = 0;
		if (k == 1) {
			u = scaled(step, answer(analysis(x, w, g), "1/analysis"));
		} else {
			next = (1 + sqrt(1 + 4 * m * m)) / 2; /* (A.1), second line */
			y = z;
			if (k > 2) {
				r->ratio = (float)((m - 1) / next);
				y = answer(add(z, r->ratio, add(z, -1, before)), "%d/momentum", k); /* (A.1), third line */
			}
			m = next;
			r->point = paper ? y : z;
			s = answer(synthesis(r->point, w, x.h, x.w, g), "%d/synthesis", k);
			r->residual = answer(add(x, -1, s), "%d/residual", k);
			u = add(y, step, answer(analysis(r->residual, w, g), "%d/analysis", k)); /* (A.1), first line */
		}
		before = z;
		z = r->code = answer(prox(answer(u, "%d/prethreshold", k), step), "%d/code", k);
	}
}

/* The gradients of sum(z dz) towards every named value of FISTA; step is a constant. weight names w. */
static void fista_grad(Tensor x, Tensor w, float step, Geometry g, const char *weight, Tensor dz) {
	Tensor dx = make(x.n, x.c, x.h, x.w), dw = make(w.n, w.c, w.h, w.w), du, da, dr, ds, dy, dp;
	Tensor earlier = make(dz.n, dz.c, dz.h, dz.w); /* what is known so far of grad/(k-1)/code, while dz is grad/k/code */
	for (int k = (int)attr("iterations", 1); k >= 1; k--) {
		r = &rounds[k];
		answer(dz, "grad/%d/code", k);
		du = answer(prox_grad(r->code, dz, step), "grad/%d/prethreshold", k);
		da = answer(scaled(step, du), "grad/%d/analysis", k);
		dw = add(dw, 1, answer(filter(k == 1 ? x : r->residual, da, w.h, w.w, g), "grad/%s/%d/analysis", weight, k));
		dr = synthesis(da, w, x.h, x.w, g);
		if (k == 1) {
			dx = add(dx, 1, answer(dr, "grad/x/%d/analysis", k));
			break;
		}
		dx = add(dx, 1, answer(dr, "grad/%d/residual", k));
		ds = answer(scaled(-1, dr), "grad/%d/synthesis", k);
		dw = add(dw, 1, answer(filter(ds, r->point, w.h, w.w, g), "grad/%s/%d/synthesis", weight, k));
		dp = analysis(ds, w, g);
		if (paper && k > 2) answer(dp, "grad/%d/momentum/%d/synthesis", k, k);
		else answer(dp, "grad/%d/code/%d/synthesis", k - 1, k);
		dy = paper && k > 2 ? add(du, 1, dp) : du;
		if (k == 2) { /* y is the code before */
			dz = add(add(earlier, 1, dp), 1, dy);
			continue;
		}
		if (!paper) earlier = add(earlier, 1, dp);
		answer(dy, "grad/%d/momentum", k);
		dz = add(earlier, 1, answer(scaled(1 + r->ratio, dy), "grad/%d/code/%d/momentum", k - 1, k));
		earlier = answer(scaled(-r->ratio, dy), "grad/%d/code/%d/momentum", k - 2, k);
	}
	answer(dx, "grad/x");
	answer(dw, "grad/%s", weight);
}

static float step_size(Tensor v, Tensor w, int height, int width, Geometry g) {
	int last = (int)attr("rounds", 1), stop = 0;
	for (int k = 1; k <= last; k++) {
		Tensor s = answer(synthesis(v, w, height, width, g), "power/%d/synthesis", k);
		Tensor u = answer(analysis(s, w, g), "power/%d/analysis", k);
		u = answer(scaled(1 / fmaxf(sqrtf(sum_of_squares(u)), 1e-12f), u), "power/%d/vector", k); /* (A.4) */
		float change = answer(scalar(sum_of_squares(add(u, -1, v))), "power/%d/change", k).v[0];
		if (!stop && change <= attr("tolerance", 0)) stop = k;
		v = u;
	}
	answer(scalar(stop ? stop : last), "power/rounds");
	float value = sum_of_squares(answer(synthesis(v, w, height, width, g), "power/synthesis")); /* (A.5) */
	answer(scalar(value), "eigenvalue");
	return answer(scalar((float)attr("share", 0.9) / value), "step").v[0];
}

static Tensor unit_atoms(Tensor w) {
	Tensor y = make(w.n, w.c, w.h, w.w);
	for (int m = 0; m < w.n; m++) {
		Tensor atom = {1, w.c, w.h, w.w, w.v + m * (count(w) / w.n)};
		float norm = fmaxf(sqrtf(sum_of_squares(atom)), 1e-12f);
		for (size_t i = 0; i < count(atom); i++) y.v[m * count(atom) + i] = atom.v[i] / norm;
	}
	return y;
}

/* Sums over images and pixels of f, one per channel; f is called with the element's place. */
#define FOR_CHANNEL(t, ch, at) \
	for (int n_ = 0; n_ < (t).n; n_++) \
		for (size_t at = ((size_t)n_ * (t).c + (ch)) * (t).h * (t).w, end_ = at + (size_t)(t).h * (t).w; at < end_; at++)

static void batch_norm(void) {
	Tensor x = input("x"), weight = input("weight"), bias = input("bias"), mean = input("running_mean"), var = input("running_var");
	int training = attr("training", 0) != 0;
	float epsilon = (float)attr("epsilon", 1e-5), momentum = (float)attr("momentum", 0.1), n = (float)(count(x) / x.c);
	Tensor y = make(x.n, x.c, x.h, x.w), inverse = make(x.c, 1, 1, 1);
	if (training) {
		Tensor m = make(x.c, 1, 1, 1), s = make(x.c, 1, 1, 1);
		for (int c = 0; c < x.c; c++) {
			FOR_CHANNEL(x, c, i) m.v[c] += x.v[i];
			m.v[c] /= n;
			FOR_CHANNEL(x, c, i) s.v[c] += (x.v[i] - m.v[c]) * (x.v[i] - m.v[c]);
			s.v[c] /= n;
		}
		answer(add(scaled(1 - momentum, mean), momentum, m), "new_running_mean");
		answer(add(scaled(1 - momentum, var), momentum * n / (n - 1), s), "new_running_var");
		mean = answer(m, "mean"), var = answer(s, "var");
	}
	for (int c = 0; c < x.c; c++) {
		inverse.v[c] = 1 / sqrtf(var.v[c] + epsilon);
		FOR_CHANNEL(x, c, i) y.v[i] = (x.v[i] - mean.v[c]) * inverse.v[c] * weight.v[c] + bias.v[c];
	}
	answer(y, "y");
	if (!has_input("grad/y")) return;
	Tensor dy = input("grad/y"), dx = make(x.n, x.c, x.h, x.w), dweight = make(x.c, 1, 1, 1), dbias = make(x.c, 1, 1, 1);
	for (int c = 0; c < x.c; c++) {
		FOR_CHANNEL(x, c, i) {
			dbias.v[c] += dy.v[i];
			dweight.v[c] += dy.v[i] * (x.v[i] - mean.v[c]) * inverse.v[c];
		}
		float shift = training ? dbias.v[c] / n : 0, slope = training ? dweight.v[c] / n : 0;
		FOR_CHANNEL(x, c, i)
			dx.v[i] = weight.v[c] * inverse.v[c] * (dy.v[i] - shift - (x.v[i] - mean.v[c]) * inverse.v[c] * slope);
	}
	answer(dx, "grad/x"), answer(dweight, "grad/weight"), answer(dbias, "grad/bias");
}

static void conv_forward(void) { answer(analysis(input("x"), input("w"), geometry()), "y"); }

static void conv_transpose(void) {
	answer(synthesis(input("z"), input("w"), (int)attr("height", 0), (int)attr("width", 0), geometry()), "x");
}

static void conv_filter(void) {
	Entry *w = find(outputs, n_outputs, "grad/w");
	if (!w) fail("no output", "grad/w");
	answer(filter(input("x"), input("grad/y"), w->d[2], w->d[3], geometry()), "grad/w");
}

static void prox_case(void) {
	float step = input("step").v[0];
	Tensor z = answer(prox(input("u"), step), "z");
	if (has_input("grad/z")) answer(prox_grad(z, input("grad/z"), step), "grad/u");
}

static void solve(Tensor w, float step, const char *weight) {
	char seed[128];
	Tensor x = input("x");
	fista(x, w, step, geometry());
	sprintf(seed, "grad/%d/code", (int)attr("iterations", 1));
	if (has_input(seed)) fista_grad(x, w, step, geometry(), weight, input(seed));
}

static void fista_case(void) { solve(input("w"), input("step").v[0], "w"); }

static void power_case(void) {
	step_size(input("v0"), input("w"), (int)attr("height", 0), (int)attr("width", 0), geometry());
}

static void csc_layer(void) {
	Tensor x = input("x"), w = input("w");
	int unit = attr("unit_norm", 0) != 0;
	if (unit) w = answer(unit_atoms(w), "weight");
	solve(w, step_size(input("v0"), w, x.h, x.w, geometry()), unit ? "weight" : "w");
}

static struct { const char *kind; void (*run)(void); } kinds[] = {
	{"conv_forward", conv_forward}, {"conv_transpose", conv_transpose}, {"conv_filter", conv_filter}, {"prox", prox_case},
	{"batchnorm", batch_norm}, {"power_iteration", power_case}, {"fista", fista_case}, {"csc_layer", csc_layer},
};

static void read_shape(FILE *f, Entry *e) {
	for (int i = 0; i < 8; i++) e->d[i] = 1;
	if (fscanf(f, "%d", &e->dims) != 1 || e->dims < 0 || e->dims > 8) fail("bad shape of", e->name);
	for (int i = 0; i < e->dims; i++)
		if (fscanf(f, "%d", &e->d[i]) != 1) fail("bad shape of", e->name);
}

/* Answers the cases of a folder. */
static void answer_folder(const char *path) {
	char word[128], kind[128] = "", value[128];
	folder = path;
	FILE *f = open_file("manifest.txt", "r");
	while (fscanf(f, "%127s", word) == 1) {
		if (!strcmp(word, "case")) {
			n_attrs = n_inputs = n_outputs = paper = 0;
			if (fscanf(f, "%*s %127s", kind) != 1) fail("bad", word);
		} else if (!strcmp(word, "attr")) {
			Entry *e = &attrs[n_attrs++];
			if (n_attrs > 64 || fscanf(f, "%127s %127s", e->name, value) != 2) fail("bad", word);
			e->value = atof(value);
			if (!strcmp(e->name, "variant")) paper = !strcmp(value, "paper");
		} else if (!strcmp(word, "input")) {
			Entry *e = &inputs[n_inputs++];
			if (n_inputs > 256 || fscanf(f, "%127s %511s", e->name, e->file) != 2) fail("bad", word);
			read_shape(f, e);
		} else if (!strcmp(word, "output")) {
			Entry *e = &outputs[n_outputs++];
			if (n_outputs > 4096 || fscanf(f, "%127s %511s %d", e->name, e->file, &e->required) != 3) fail("bad", word);
			read_shape(f, e);
		} else if (!strcmp(word, "end")) {
			for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
				if (!strcmp(kinds[i].kind, kind)) kinds[i].run();
			while (holds) free(owned[--holds]);
		} else if (fscanf(f, "%*[^\n]") < 0) { /* schema, flag: not needed */
			break;
		}
	}
	fclose(f);
}

static void declare(void) {
	FILE *f = open_file("backend.json", "w");
	fprintf(f, "{\"name\": \"C loops\", \"profile\": \"fp32\", \"device\": \"cpu\", \"deterministic\": true, ");
	fprintf(f, "\"folders\": \"stdin\", \"kinds\": [");
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) fprintf(f, "%s\"%s\"", i ? ", " : "", kinds[i].kind);
	fprintf(f, "]}\n");
	if (fclose(f)) fail("cannot write", "backend.json");
}

/* Tells the judge that a folder is answered. */
static void done(void) {
	puts("done");
	fflush(stdout);
}

int main(int argc, char **argv) {
	char line[4096];
	if (argc != 2) fail("usage:", "client FOLDER");
	answer_folder(argv[1]);
	declare();
	done();
	while (fgets(line, sizeof line, stdin)) { /* more folders, a line each */
		line[strcspn(line, "\n")] = 0;
		answer_folder(line);
		done();
	}
	return 0;
}
