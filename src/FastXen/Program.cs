return FastXen.CommandLine.CommandLineInterface.Run(args);
