/* A toy API in the style of the Khronos headers. */
typedef cl_bitfield cl_paint_flags;

/* cl_paint_flags - bitfield */
#define CL_PAINT_WET   (1 << 0)
#define CL_PAINT_GLOSS (1 << 1)

extern CL_API_ENTRY cl_int CL_API_CALL
clEnqueuePaint(cl_command_queue command_queue,
               cl_mem           wall,
               const size_t *   origin,
               cl_paint_flags   flags,
               const void *     color,
               size_t           color_size,
               cl_uint          num_events_in_wait_list,
               const cl_event * event_wait_list,
               cl_event *       event) CL_API_SUFFIX__VERSION_1_1;

extern CL_API_ENTRY cl_kernel CL_API_CALL
clCreateBrush(cl_program   program,
              const char * name,
              cl_int *     errcode_ret) CL_API_SUFFIX__VERSION_1_0;

#ifdef CL_VERSION_2_0
/* Comments, callbacks, and deprecation. */
extern CL_API_ENTRY CL_API_PREFIX__VERSION_2_0_DEPRECATED cl_int CL_API_CALL
clWatchPaintDry(cl_mem wall, // the wall
                void (CL_CALLBACK * pfn_notify)(cl_mem wall, void * user_data),
                void * user_data) CL_API_SUFFIX__VERSION_2_0_DEPRECATED;
#endif

extern CL_API_ENTRY void * CL_API_CALL
clWallpaper(cl_context context, size_t size) CL_API_SUFFIX__VERSION_2_0;

extern CL_API_ENTRY cl_kernel CL_API_CALL
clCreateBrushKHR(cl_program program, const char * name, cl_int * errcode_ret);

extern CL_API_ENTRY cl_int CL_API_CALL
clSprayACME(cl_mem wall);
