using BenchmarkDotNet.Running;
using FastXen.Perf.Measure;
using FastXen.Perf.Scheduling;

// "measure ..." compares the guest with the host (build.sh bench); everything else is for BenchmarkDotNet, such as "--filter *".
if (args is ["measure", .. var rest])
    return MeasureCommand.Run(rest);
// "scheduler ..." measures src/Smp (build.sh bench --scheduler).
if (args is ["scheduler", .. var others])
    return SchedulerCommand.Run(others);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
