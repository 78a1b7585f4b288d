using BenchmarkDotNet.Running;
using FastXen.Perf.Measure;

// "measure ..." compares the guest with the host (build.sh bench); everything else is for BenchmarkDotNet, such as "--filter *".
if (args is ["measure", .. var rest])
    return MeasureCommand.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
