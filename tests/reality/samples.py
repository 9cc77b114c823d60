"""Small listings and logs in the formats that tools print, written for the tests."""

from __future__ import annotations

RULE = "+-----------------------------------------+------------------------+----------------------+"


def nvidia_smi(*cards: tuple[str, int, int, int], mig: str = "Disabled", tail: str = "") -> str:
    """The table for cards of (name, used MiB, total MiB, percent)."""
    lines = [
        "Mon Jan  5 10:00:00 2026",
        "+-----------------------------------------------------------------------------------------+",
        "| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |",
        "|-----------------------------------------+------------------------+----------------------+",
        "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |",
        "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |",
        "|=========================================+========================+======================|",
    ]
    for at, (name, used, total, busy) in enumerate(cards):
        lines += [
            f"|   {at}  {name:<27} On  |   00000000:{at + 16:02X}:00.0 Off |                    0 |",
            f"| N/A   30C    P0             70W /  700W | {used:7d}MiB / {total:6d}MiB |    {busy:3d}%      Default |",
            f"|                                         |                        | {mig:>20} |",
            RULE,
        ]
    return "\n".join(lines) + "\n" + tail


MIG_TAIL = """
+-----------------------------------------------------------------------------------------+
| MIG devices:                                                                            |
+------------------+----------------------------------+-----------+-----------------------+
|  0    1   0   0  |              38MiB / 20096MiB    | 42      0 |  3   0    2    0    0 |
|  0    2   0   1  |              38MiB / 20096MiB    | 42      0 |  3   0    2    0    0 |
"""

PROCESS_TAIL = """
+-----------------------------------------------------------------------------------------+
| Processes:                                                                              |
|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |
|=========================================================================================|
|    0   N/A  N/A            4242      C   python3                                 94MiB  |
"""

CSV = """index, name, memory.total [MiB], memory.used [MiB], utilization.gpu [%]
0, NVIDIA L4, 23034 MiB, 1 MiB, 0 %
1, NVIDIA L4, 23030 MiB, 9000 MiB, 80 %
"""

LIST = """GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-1)
  MIG 3g.40gb     Device  0: (UUID: MIG-1)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-2)
"""

QUERY = """
==============NVSMI LOG==============

Attached GPUs                             : 1
GPU 00000000:08:00.0
    Product Name                          : NVIDIA L40S
    MIG Mode
        Current                           : N/A
    FB Memory Usage
        Total                             : 46068 MiB
        Used                              : 3 MiB
    Utilization
        Gpu                               : 0 %
"""

XML = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log><attached_gpus>1</attached_gpus>
<gpu id="00000000:01:00.0"><product_name>NVIDIA L4</product_name>
<mig_mode><current_mig>N/A</current_mig></mig_mode>
<fb_memory_usage><total>23034 MiB</total><used>0 MiB</used></fb_memory_usage>
</gpu></nvidia_smi_log>
"""

TOPOLOGY = """\x1b[4m\tGPU0\tGPU1\tGPU2\tGPU3\tNIC0\tCPU Affinity\tNUMA Affinity\x1b[0m
GPU0\t X \tNV18\tNV18\tNV18\tPIX\t0-31\t0
GPU1\tNV18\t X \tNV18\tNV18\tSYS\t0-31\t0
GPU2\tNV18\tNV18\t X \tNV18\tSYS\t32-63\t1
GPU3\tNV18\tNV18\tNV18\t X \tSYS\t32-63\t1
NIC0\tPIX\tSYS\tSYS\tSYS\t X
"""

ROCM = """============================ ROCm System Management Interface ============================
GPU[0]\t\t: Card Series: \t\tAMD Instinct MI300X OAM
GPU[0]\t\t: VRAM Total Memory (B): 206141652992
GPU[0]\t\t: VRAM Total Used Memory (B): 300000000
"""

AMD_SMI = """| AMD-SMI 26.2.0       amdgpu version: 6.12    ROCm version: 7.0 |
| 0000:c2:00.0                 0x1586 | N/A        N/A   0             N/A/0 W |
|   0       0     N/A             N/A | N/A        N/A            500/65536 MB |
"""

NODES = """{"items": [{"metadata": {"name": "worker-1", "labels": {
 "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED", "nvidia.com/gpu.memory": "81559",
 "nvidia.com/gpu.count": "2", "nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.sharing-strategy": "time-slicing"}},
 "status": {"capacity": {"nvidia.com/gpu": "8"}, "allocatable": {"nvidia.com/gpu": "8"}}},
 {"metadata": {"name": "worker-2", "labels": {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034"}},
 "status": {"capacity": {"nvidia.com/gpu": "4"}, "allocatable": {"nvidia.com/gpu": "3"}}},
 {"metadata": {"name": "control"}, "status": {"capacity": {"cpu": "4"}}}]}
"""

DESCRIBE = """Name:               worker-7
Labels:             beta.kubernetes.io/arch=amd64
                    nvidia.com/gpu.count=2
                    nvidia.com/gpu.memory=40960
                    nvidia.com/gpu.product=NVIDIA-A100-SXM4-40GB
                    nvidia.com/mig-1g.5gb.count=7
                    nvidia.com/mig-1g.5gb.memory=4864
Capacity:
  nvidia.com/gpu:  2
Allocatable:
  nvidia.com/gpu:  2
"""

SLURM = """NodeName=gpu01 Arch=x86_64 Gres=gpu:h100:4(S:0-1),gpu:1g.10gb:12 State=MIXED+DRAIN
   CfgTRES=cpu=96,mem=1000G,billing=96,gres/gpu=16
   AllocTRES=cpu=8,gres/gpu=2
"""

VLLM_V0 = """INFO 04-01 10:00:00 api_server.py:1] vLLM API server version 0.8.4
INFO 04-01 10:00:01 [worker.py:267] the current vLLM instance can use total_gpu_memory (22.05GiB) x gpu_memory_utilization (0.90) = 19.84GiB
INFO 04-01 10:00:01 [worker.py:267] model weights take 14.99GiB; non_torch_memory takes 0.13GiB; PyTorch activation peak memory takes 1.20GiB; the rest of the memory reserved for KV Cache is 3.52GiB.
INFO 04-01 10:00:02 [executor_base.py:112] # cuda blocks: 1802, # CPU blocks: 2048
INFO 04-01 10:00:02 [executor_base.py:117] Maximum concurrency for 8192 tokens per request: 3.52x
INFO 04-01 10:00:20 [llm_engine.py:450] init engine (profile, create kv cache, warmup model) took 18.00 seconds
"""  # noqa: E501

VLLM_V1 = """(APIServer pid=1) INFO 01-05 10:00:00 [api_server.py:1] vLLM API server version 0.13.0
(APIServer pid=1) INFO 01-05 10:00:00 [utils.py:1] non-default args: {'model': 'meta-llama/Llama-3.1-8B-Instruct', 'max_model_len': 16384, 'gpu_memory_utilization': 0.9, 'max_num_seqs': 256}
(APIServer pid=1) INFO 01-05 10:00:01 [scheduler.py:1] Chunked prefill is enabled with max_num_batched_tokens=2048.
(EngineCore_DP0 pid=2) INFO 01-05 10:00:02 [core.py:1] Initializing a V1 LLM engine (v0.13.0) with config: model='meta-llama/Llama-3.1-8B-Instruct', speculative_config=None, dtype=torch.bfloat16, max_seq_len=16384, tensor_parallel_size=1, pipeline_parallel_size=1, quantization=None, enforce_eager=False, kv_cache_dtype=auto, enable_prefix_caching=True
(EngineCore_DP0 pid=2) INFO 01-05 10:00:30 [gpu_model_runner.py:1] Model loading took 14.9889 GiB memory and 9.1 seconds
(EngineCore_DP0 pid=2) INFO 01-05 10:00:40 [gpu_worker.py:1] Available KV cache memory: 3.55 GiB
(EngineCore_DP0 pid=2) INFO 01-05 10:00:40 [kv_cache_utils.py:1] GPU KV cache size: 29,072 tokens
(EngineCore_DP0 pid=2) INFO 01-05 10:00:40 [kv_cache_utils.py:1] Maximum concurrency for 16,384 tokens per request: 1.77x
(EngineCore_DP0 pid=2) INFO 01-05 10:00:50 [gpu_model_runner.py:1] Graph capturing finished in 7 secs, took 0.60 GiB
(APIServer pid=1) INFO:     Application startup complete.
"""  # noqa: E501

VLLM_REFUSED = VLLM_V1.split("(EngineCore_DP0 pid=2) INFO 01-05 10:00:40 [kv_cache_utils.py:1] GPU")[0].replace(
    "16384", "131072"
) + (
    "(EngineCore_DP0 pid=2) ValueError: To serve at least one request with the model's max seq len (131072), "
    "(16.00 GiB KV cache is needed, which is larger than the available KV cache memory (3.55 GiB). Based on the "
    "available memory, the estimated maximum model length is 29072. Try increasing `gpu_memory_utilization`.\n"
)

VLLM_MERGED = (
    "INFO 09-06 [core.py:1] Initializing a V1 LLM engine (v0.30.1) with config: model='Qwen/Qwen3-8B'\n"
    "INFO 09-06 [kv_cache_utils.py:1] CPU KV cache size: 23,296 tokens, Maximum concurrency for 4,096 tokens per "
    "request: 5.69x\n"
)

SGLANG = """[2026-02-09 14:38:13] server_args=ServerArgs(model_path='meta-llama/Llama-3.2-3B', context_length=35000, tp_size=1, dp_size=1, mem_fraction_static=0.2, max_running_requests=None, chunked_prefill_size=8192, kv_cache_dtype='auto', dtype='auto')
[2026-02-09 14:38:20] Load weight begin. avail mem=44.00 GB
[2026-02-09 14:38:28] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=37.98 GB, mem usage=6.02 GB.
[2026-02-09 14:38:28] KV Cache is allocated. #tokens: 26000, K size: 1.39 GB, V size: 1.39 GB
[2026-02-09 14:38:28] Memory pool end. avail mem=34.95 GB
[2026-02-09 14:38:29] Capture cuda graph end. Time elapsed: 1.57 s. mem usage=0.33 GB. avail mem=34.13 GB.
[2026-02-09 14:38:30] max_total_num_tokens=26000, chunked_prefill_size=8192, max_running_requests=2048, context_len=35000, available_gpu_mem=34.13 GB
"""  # noqa: E501

SGLANG_POOLS = """[2026-08-01 23:39:39 TP0] Load weight end. elapsed=1.0 s, type=LagunaForCausalLM, avail mem=47.80 GB, mem usage=67.00 GB.
[2026-08-01 23:39:55 TP0] Load weight end. elapsed=1.0 s, type=DFlashForCausalLM, avail mem=46.25 GB, mem usage=1.50 GB.
[2026-08-01 23:40:01 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 1000, K size: 10.00 GB, V size: 10.00 GB
[2026-08-01 23:40:01 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 2000, K size: 4.00 GB, V size: 4.00 GB
[2026-08-01 23:40:01 TP0] Memory pool end. avail mem=17.73 GB
[2026-08-01 23:40:01 TP0] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 2000, K size: 2.00 GB, V size: 2.00 GB
[2026-08-01 23:40:01 TP0] Memory pool end. avail mem=13.35 GB
[2026-08-01 23:40:01 TP1] KV Cache is allocated. dtype: torch.bfloat16, #tokens: 1900, K size: 3.00 GB, V size: 3.00 GB
[2026-08-01 23:40:01 TP1] Memory pool end. avail mem=13.35 GB
"""  # noqa: E501

TENSORRT_LLM = """[TensorRT-LLM] TensorRT-LLM version: 1.1.0
[TensorRT-LLM][INFO] Number of tokens per block: 32.
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 0.56 GiB for max tokens in paged KV cache (8224).
[01/05/2026-10:00:00] [TRT-LLM] [I] max_seq_len=8224, max_num_requests=64, max_num_tokens=8192, max_batch_size=64
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 40.00 GiB for max tokens in paged KV cache (327680).
INFO:     Application startup complete.
"""

TENSORRT_28_LAYERS = """[TensorRT-LLM][INFO] Memory usage when calculating max tokens in paged kv cache: total: 79.10 GiB, available: 63.62 GiB
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 62.99 GiB for max tokens in paged KV cache (294848).
[TensorRT-LLM][INFO] Executor instance created by worker
Model:                  meta-llama/Llama-2-7b-hf
TensorRT-LLM Version:   0.12.0
KV Cache Dtype:         FP8
Quantization:           FP8
"""  # noqa: E501

LLAMA_CPP = """build: 8173 (2e7e63852) with GNU 13.3.0 for Linux x86_64
srv    load_model: loading model '/models/Qwen3.5-35B-A3B-Q8_0.gguf'
llama_params_fit_impl: projected to use 36584 MiB of device memory vs. 184616 MiB of free device memory
llama_model_load_from_file_impl: using device CUDA0 (NVIDIA RTX A6000) (0000:75:00.0) - 45200 MiB free
print_info: file type   = Q8_0
print_info: general.name          = Qwen3.5-35B-A3B
load_tensors:   CPU_Mapped model buffer size =   515.31 MiB
load_tensors:        CUDA0 model buffer size = 17931.70 MiB
load_tensors:        CUDA1 model buffer size = 16736.08 MiB
llama_context: n_ctx         = 32768
llama_context: n_seq_max     = 4
llama_kv_cache: size =  640.00 MiB ( 32768 cells,  10 layers,  4/1 seqs), K (f16):  320.00 MiB, V (f16):  320.00 MiB
llama_memory_recurrent:      CUDA0 RS buffer size =   251.25 MiB
sched_reserve:      CUDA0 compute buffer size =   1009.13 MiB
sched_reserve:  CUDA_Host compute buffer size =   264.08 MiB
srv    load_model: initializing slots, n_slots = 4
"""

LLAMA_QUIET = """0.00.058.285 I srv    load_model: loading model '/home/u/models/Qwen3.6-27B-UD-Q4_K_XL.gguf'
0.03.015.040 I srv    load_model: initializing, n_slots = 1, n_ctx_slot = 12288, kv_unified = 'false'
0.03.017.825 I srv  llama_server: model loaded
"""

LISTINGS = (
    nvidia_smi(("NVIDIA H200", 0, 143771, 0), ("NVIDIA H200", 9000, 143771, 50), tail=PROCESS_TAIL),
    nvidia_smi(("NVIDIA A100-SXM4-40GB", 249, 40960, 0), mig="Enabled", tail=MIG_TAIL),
    CSV, LIST, QUERY, XML, TOPOLOGY, ROCM, AMD_SMI, NODES, DESCRIBE, SLURM,
)  # fmt: skip
LOGS = (
    VLLM_V0, VLLM_V1, VLLM_REFUSED, VLLM_MERGED, SGLANG, SGLANG_POOLS, TENSORRT_LLM, TENSORRT_28_LAYERS, LLAMA_CPP,
    LLAMA_QUIET,
)  # fmt: skip
