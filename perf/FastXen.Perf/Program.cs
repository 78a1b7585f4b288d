using BenchmarkDotNet.Running;
using FastXen.Perf.Domains;
using FastXen.Perf.Measure;
using FastXen.Perf.Scheduling;
using FastXen.Perf.Tracing;
using FastXen.Perf.Xen;

// "measure ..." compares the guest with the host (build.sh bench); everything else is for BenchmarkDotNet, such as "--filter *".
if (args is ["measure", .. var rest])
    return MeasureCommand.Run(rest);
// "scheduler ..." measures src/Smp (build.sh bench --scheduler).
if (args is ["scheduler", .. var others])
    return SchedulerCommand.Run(others);
// "tracing ..." counts what tracing costs (build.sh bench --tracing).
if (args is ["tracing", .. var sides])
    return TracingCommand.Run(sides);
// "domains ..." measures many idle domains (build.sh bench --domains).
if (args is ["domains", .. var idle])
    return DomainsCommand.Run(idle);
// "xen ..." measures the Xen interface (build.sh bench --xen).
if (args is ["xen", .. var words])
    return XenCommand.Run(words);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
