/* Stands in for the NVIDIA driver library where there is none (see driver.py).
   These are the ten symbols of libcuda.so.1 that libmxnet.so of mxnet-cu112 1.9.1 needs;
   each answers CUDA_ERROR_NO_DEVICE. */
#define NO_DEVICE 100
#define STUB(name) int name(void) { return NO_DEVICE; }

STUB(cuDeviceGet)
STUB(cuDevicePrimaryCtxRetain)
STUB(cuGetErrorString)
STUB(cuGraphKernelNodeGetParams)
STUB(cuGraphNodeGetType)
STUB(cuLaunchKernel)
STUB(cuModuleGetFunction)
STUB(cuModuleLoadData)
STUB(cuModuleLoadDataEx)
STUB(cuModuleUnload)
