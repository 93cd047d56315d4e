#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
typedef unsigned long size_t_;
extern "C" __device__ int vprintf(const char*, const char*);
extern "C" __device__ int printf(const char*, ...);
static __device__ inline int tidx(){return __nvvm_read_ptx_sreg_tid_x();}
static __device__ inline int bidx(){return __nvvm_read_ptx_sreg_ctaid_x();}
static __device__ inline int bdim(){return __nvvm_read_ptx_sreg_ntid_x();}
extern "C" __global__ void vectorAdd(const float*a,const float*b,float*c,int n){int i=bidx()*bdim()+tidx(); if(i<n)c[i]=a[i]+b[i];}
extern "C" __global__ void matmul(const float*a,const float*b,float*c,int n){
 __shared__ float A[16][16],B[16][16];
 int x=tidx(),y=__nvvm_read_ptx_sreg_tid_y();
 int col=bidx()*16+x,row=__nvvm_read_ptx_sreg_ctaid_y()*16+y; float s=0;
 for(int t=0;t<n;t+=16){A[y][x]=a[row*n+t+x];B[y][x]=b[(t+y)*n+col];__syncthreads();
 for(int k=0;k<16;k++)s+=A[y][k]*B[k][x];__syncthreads();}
 c[row*n+col]=s;}
__attribute__((noinline)) __device__ float helper(float x,int k){return k?helper(x*2,k-1):x+1;}
struct S{int a;float b[3];double d;};
__attribute__((noinline)) __device__ S big(S s,int*p){s.a+=*p;return s;}
extern "C" __global__ void calls(float*o,S s){int k=tidx(); o[k]=helper(o[k],k)+big(s,&k).b[1];}
extern "C" __global__ void hello(int n){printf("hello %d %f\n",tidx(),(double)n);}
__constant__ float table[4]={1,2,3,4};
__device__ int counter=7; __device__ int* pc=&counter;
extern "C" __global__ void vars(float*o){o[tidx()]=table[tidx()&3]+*pc; __nvvm_atom_add_gen_i(&counter,1);}
typedef float (*fp)(float,int);
__device__ fp fns[2]={helper,helper};
extern "C" __global__ void ind(float*o,int w){o[0]=fns[w](o[1],3);}
